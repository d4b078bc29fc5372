"""Parts of `VectorMinSyn`: groups of features, and an autoencoder for each.

`codes` summarise features, `grouping` finds the parents of each by their synergies
(`group_information` measures what groups tell, `shared_features` adds second parents);
`latent_shares` says how many latents a group has, `balance` weighs its samples; `group_fit` fits it
by `annealing`, and `fit` puts the groups together.
"""
