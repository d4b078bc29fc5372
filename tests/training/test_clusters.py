"""Clusters of features: copies are found, all features belong, and what is not merged is exact."""

import pytest
import torch

from minsyn.training.clusters import cluster_features


@pytest.mark.parametrize("n_samples", [20, 400])
def test_features_that_go_together_are_one(n_samples):
    generator = torch.Generator().manual_seed(0)
    causes = torch.randn(n_samples, 5, generator=generator)
    owners = torch.arange(5).repeat(20)
    x = causes[:, owners] + 0.01 * torch.randn(n_samples, 100, generator=generator)
    clusters = cluster_features(x, 30, generator)
    assert clusters.sizes.sum() == 100 and (clusters.sizes > 0).all()
    assert torch.equal(torch.bincount(clusters.membership).float(), clusters.sizes)
    torch.testing.assert_close(clusters.means(x)[:, clusters.membership], x, rtol=0, atol=0.1)
    for cluster in range(len(clusters.sizes)):
        assert len(owners[clusters.membership == cluster].unique()) == 1


def test_few_features_are_left_as_they_are():
    x = torch.rand(10, 4)
    clusters = cluster_features(x, 4, torch.Generator())
    assert torch.equal(clusters.means(x), x)


def test_equal_features_are_one_cluster_of_them():
    clusters = cluster_features(torch.ones(10, 50), 8, torch.Generator().manual_seed(0))
    assert clusters.sizes.tolist() == [50.0]
