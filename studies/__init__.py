"""Studies that the pages of docs/ are made by; run from the repository's root.

``python -m studies.ablation``
    Parts of MinSyn with vector factors exchanged one at a time (docs/results/ablation.md).
``python -m studies.tasks``
    Methods on data that none was tuned on (docs/results/new-data.md).
``python -m studies.robustness``
    Models of clean words under noise and occlusion (docs/results/robustness.md).
``python -m studies.batch_statistics``
    MinSyn (Binary) decoded with the statistics of each batch (docs/theory/batch-statistics.md).
``python -m studies.synergy_weight``
    From a free decoder to one without synergy (docs/results/synergy-weight.md).

They use the package as any user does, and are no part of it.
"""
