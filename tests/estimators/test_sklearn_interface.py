"""The estimators keep every promise that scikit-learn checks."""


from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from minsyn.estimators import AutoEncoder, InfoMax, MinSyn


@parametrize_with_checks(
    [
        MinSyn(),
        MinSyn(n_components=1, statistics="running", batch_size=16, max_iter=100),
        AutoEncoder(),
        AutoEncoder(n_components=1, noise_std=0.1, max_iter=200),
        InfoMax(),
        make_pipeline(MinMaxScaler(clip=True), MinSyn(decoder="bernoulli", max_iter=500)),
        make_pipeline(MinMaxScaler(clip=True), AutoEncoder(decoder="sigmoid", max_iter=500)),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
