"""
Separating letters of words
===========================

Images of three-letter words, without information about where a letter ends. Factors without synergy
describe the letters, and what is learnt about each letter holds in words that were never seen.
"""

# %%
# The words benchmark of the paper, in letters of Matplotlib's fonts; ``minsyn benchmark --letters
# emnist`` has handwriting.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA

from minsyn import VectorMinSyn
from minsyn.datasets import load_letters, make_word_images

words = make_word_images(letters=load_letters("typewriter"), random_state=0)
print(len(words.train), "words to learn from,", len(words.test), "other combinations to test on")

# %%
# Nine latents in total. The groups of pixels that are found are the three positions.

model = VectorMinSyn(9, random_state=0).fit(words.train)
figure, ax = plt.subplots(figsize=(6, 2.4), layout="constrained")
ax.imshow(model.groups_.reshape(words.image_shape), cmap="Set2")
ax.set(title=f"groups of pixels: {model.groups_.max() + 1}", xticks=[], yticks=[])
plt.show()

# %%
# Words that were not in the training data, and their reconstructions. PCA with as many components
# has ghosts of other letters.

pca = PCA(9).fit(words.train)
chosen = np.random.default_rng(0).choice(len(words.test), 4, replace=False)
rows = {
    "unseen word": words.test[chosen],
    "VectorMinSyn": model.reconstruct(words.test[chosen]),
    "PCA": pca.inverse_transform(pca.transform(words.test[chosen])),
}
figure, axes = plt.subplots(3, 4, figsize=(8, 2.2), layout="constrained")
for line, (name, images) in zip(axes, rows.items(), strict=True):
    for ax, image in zip(line, images, strict=True):
        ax.imshow(image.reshape(words.image_shape), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(name, rotation=0, ha="right", va="center")
plt.show()

# %%
# Squared errors, summed over the pixels of a word.

for name, reconstruct in {
    "VectorMinSyn": model.reconstruct,
    "PCA": lambda X: pca.inverse_transform(pca.transform(X)),
}.items():
    train, test = (
        ((X - reconstruct(X)) ** 2).sum(axis=1).mean() for X in (words.train, words.test)
    )
    print(f"{name:13} train {train:5.1f}  unseen words {test:5.1f}")

# %%
# To swap the first letter of two words, swap the latents of its group.

left, right = words.test[chosen[:2]]
Z = model.transform(np.stack([left, right]))
first = model.latent_groups_ == model.groups_.reshape(words.image_shape)[:, :28].max(axis=0)[14]
Z[:, first] = Z[::-1, first]
figure, axes = plt.subplots(1, 4, figsize=(8, 1.4), layout="constrained")
for ax, image, title in zip(
    axes,
    [left, right, *model.inverse_transform(Z)],
    ["one word", "another", "its first letter swapped", "and here"],
    strict=True,
):
    ax.imshow(image.reshape(words.image_shape), cmap="gray_r", vmin=0, vmax=1)
    ax.set_title(title, fontsize=8)
    ax.set(xticks=[], yticks=[])
plt.show()
