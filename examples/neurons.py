"""
What two neurons tell together
==============================

Two neurons may tell the same about a stimulus, different things, or something that neither tells
alone. A partial information decomposition distinguishes these cases.
"""

# %%
# Spike counts of three neurons in 400 trials. A stimulus has two properties. Neurons a and b both
# code the first one. Neuron c codes whether the two properties differ: it tells
# nothing about the second one alone, and nearly all together with a.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from minsyn.information import pid, synergy, union_information
from minsyn.information.discrete import mutual_information

rng = np.random.default_rng(1)
n = 400
stimulus = pd.DataFrame({"first": rng.integers(2, size=n), "second": rng.integers(2, size=n)})


def counts(active):
    """Spikes in a bin: many where the neuron is active, and noise."""
    return rng.binomial(3, np.where(active, 0.9, 0.1))


neurons = pd.DataFrame(
    {
        "a": counts(stimulus["first"]),
        "b": counts(stimulus["first"]),
        "c": counts(stimulus["first"] != stimulus["second"]),
    }
)

# %%
# Estimates from the trials for each pair of neurons, with 95 % intervals. The null hypothesis of
# the p-value of a synergy is that there is none: a distribution with the same pairwise marginals in
# which the pair tells nothing beyond its members.

measures = ["mutual_information", "union_information", "gk_synergy"]
results = {}
for pair in (["a", "b"], ["a", "c"]):
    name = " and ".join(pair)
    results[name] = synergy(
        neurons[pair],
        stimulus,
        model="discrete",
        measures=measures,
        n_bootstrap=200,
        n_permutations=200,
        random_state=0,
    )
    print(name, results[name], sep="\n", end="\n\n")

# %%
# About the first property, a and b tell nearly the same. Their small synergy is that of two noisy
# votes, whose agreement is more certain than either vote alone. About the second property, a and c
# tell nothing alone and .77 bits together.
#
# The same as a figure, with what a pair tells without combination (union information):

figure, axes = plt.subplots(1, 2, figsize=(7, 3), sharey=True, layout="constrained")
for ax, (name, result) in zip(axes, results.items(), strict=True):
    union, both = result["union_information"], result["gk_synergy"]
    ax.bar(stimulus.columns, union, color="#4c72b0", label="without combinations")
    ax.bar(stimulus.columns, both, bottom=union, color="#dd8452", label="synergy")
    ax.set(title=f"neurons {name}", xlabel="property of the stimulus")
axes[0].set_ylabel("information (bits)")
figure.legend(
    *axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False
)
plt.show()

# %%
# For a known distribution, here that of the counts themselves, union information comes with
# certified bounds.

p = np.zeros((4, 4, 2))
np.add.at(p, (neurons["a"], neurons["c"], stimulus["second"]), 1 / n)
union = union_information(p)
print(f"I = {mutual_information(p):.6f} bits, {union.lower:.9f} <= U <= {union.upper:.9f}")

# %%
# Redundant, unique and synergistic information of a and c about the second property, by several
# definitions. All find synergy here; they differ more if information is shared.

print(pid(p))
