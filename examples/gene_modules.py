"""
Modules of genes
================

Genes of one module share causes, and a module may have several. `VectorMinSyn` finds the modules
and their number, and gives each a vector of latents.
"""

# %%
# A simulated table: six modules of 10 to 50 genes with two or three causes each, and 35 genes in
# none. Cells to test on are combinations of states that no training cell has.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from minsyn import VectorMinSyn
from minsyn.datasets import make_expression

table = make_expression(random_state=0)
print(table.train.shape, "of which in no module:", int((table.groups < 0).sum()))

# %%
# The fit is only told the total number of latents.

model = VectorMinSyn(15, random_state=0).fit(table.train)
found = model.groups_
print("modules found:", found.max() + 1, " latents of each:", np.bincount(model.latent_groups_))
print("adjusted Rand index:", round(adjusted_rand_score(table.groups, found), 2))

# %%
# Correlations of the genes, in the order of the table and in that of the modules found.

figure, axes = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
correlations = np.corrcoef(table.train, rowvar=False)
order = np.argsort(np.where(found < 0, found.max() + 1, found), kind="stable")
for ax, genes, title in zip(
    axes, [np.arange(len(found)), order], ["order of the table", "modules found"], strict=True
):
    picture = ax.imshow(correlations[np.ix_(genes, genes)], cmap="RdBu_r", vmin=-1, vmax=1)
    ax.set(title=title, xlabel="gene", ylabel="gene")
for edge in np.cumsum([(found == group).sum() for group in range(found.max() + 1)]):
    axes[1].axhline(edge - 0.5, color="black", lw=0.6)
    axes[1].axvline(edge - 0.5, color="black", lw=0.6)
figure.colorbar(picture, ax=axes, shrink=0.8, label="correlation")
plt.show()

# %%
# Squared error per cell on the new combinations, against PCA with as many latents.

pca = PCA(15).fit(table.train)
errors = {
    "VectorMinSyn": ((table.test - model.reconstruct(table.test)) ** 2).sum(axis=1).mean(),
    "PCA": ((table.test - pca.inverse_transform(pca.transform(table.test))) ** 2)
    .sum(axis=1)
    .mean(),
}
print({name: round(float(error), 1) for name, error in errors.items()})

# %%
# Synergy between modules: bits that only both modules tell together.

print(model.synergy(table.train, measures=["mutual_information", "gk_synergy"]).means)
