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


@pytest.mark.parametrize("seed", range(3))
def test_features_are_in_the_cluster_whose_mean_is_nearest(seed):
    """Nearly all, after a few rounds; 78 to 90 % after one or two."""
    generator = torch.Generator().manual_seed(seed)
    causes = torch.randn(100, 8, generator=generator)
    x = causes @ torch.randn(8, 600, generator=generator)
    x += 0.3 * torch.randn(100, 600, generator=generator)
    clusters = cluster_features(x, 40, generator)
    nearest = torch.cdist(x.T, clusters.means(x).T).argmin(dim=1)
    assert (nearest == clusters.membership).float().mean() > 0.93


def test_the_generator_alone_decides_about_the_clusters():
    x = torch.randn(300, 50, generator=torch.Generator().manual_seed(1))
    one, other = (cluster_features(x, 20, torch.Generator().manual_seed(0)) for _ in range(2))
    assert torch.equal(one.membership, other.membership)
