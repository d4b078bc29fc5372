"""Parts of `VectorMinSyn`: groups of features, and an autoencoder for each.

`grouping` finds the parents of each feature: `correlations` of the features have a number of
`dimensions`, features are tied by their `coupling`, and `group_information` measures what groups
tell; `parents` adds further ones. `latent_shares` says how many latents a group has, `balance`
weighs its samples; `linear_fit` fits it in closed form, or `group_fit` by `annealing`; `joint_fit`
fits groups that share features, whose decoders `shared_features` begins with, and `fit` puts the
groups together.
"""
