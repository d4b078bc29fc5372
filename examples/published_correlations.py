"""
Factors of a published correlation matrix
=========================================

Articles often print correlations, not data. A linear MinSyn needs nothing else.
"""

# %%
# Thurstone's nine tests of mental ability, 213 persons: three tests each of verbal comprehension,
# word fluency and reasoning.

from minsyn import MinSyn
from minsyn.datasets import load_table

tests = load_table("psych/Thurstone")
print(tests.round(2).iloc[:4, :4])

# %%
# The number of persons is only needed to choose the number of factors. Parallel analysis finds too
# few factors if they correlate, as abilities do; here the three are given.

model = MinSyn(3, random_state=0).set_output(transform="pandas")
model.fit_covariance(tests, n_samples=213)
print(model.describe().to_string(hide_below=0.4))

# %%
# A path diagram of the strong loadings, and the correlations of the factors.

figure = model.plot_paths()
print(model.factor_correlation_.round(2))

# %%
# The scores of a person follow from the results of the tests in the units of the matrix: here
# standard scores, for somebody whose verbal tests are two standard deviations above the mean.

person = tests.iloc[:1] * 0.0
person.iloc[0, :3] = 2.0
print(model.transform(person).round(2))
