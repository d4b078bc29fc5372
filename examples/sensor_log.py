"""
A log of sensors, with gaps and a fault
=======================================

The sensors of a machine follow a few causes. Factors that each describe one cause make a log
readable, and what they do not explain reveals a failing sensor.
"""

# %%
# A simulated log of an engine: 12 sensors in different units follow speed, load and the outside
# temperature. 3 % of the values are missing. After 4,000 of 5,000 samples one sensor drifts.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from minsyn import MinSyn

rng = np.random.default_rng(0)
n = 5_000
time = pd.date_range("2026-01-01", periods=n, freq="min")


def slow(scale):
    """A cause that changes slowly."""
    steps = np.convolve(rng.normal(size=n + 200), np.hanning(200), mode="valid")[:n]
    return scale * steps / steps.std()


speed, load, outside = slow(1), slow(1), slow(1)
log = pd.DataFrame(
    {
        "rpm": 3000 + 400 * speed,
        "fuel_flow": 12 + 2 * speed + 0.3 * rng.normal(size=n),
        "vibration": 0.4 + 0.05 * speed + 0.02 * rng.normal(size=n),
        "noise_db": 80 + 3 * speed + rng.normal(size=n),
        "torque": 210 + 30 * load + 4 * rng.normal(size=n),
        "current": 48 + 5 * load + rng.normal(size=n),
        "oil_pressure": 4.1 - 0.3 * load + 0.1 * rng.normal(size=n),
        "shaft_strain": 7e-4 + 9e-5 * load + 3e-5 * rng.normal(size=n),
        "intake_temp": 15 + 6 * outside + rng.normal(size=n),
        "cabin_temp": 22 + 3 * outside + rng.normal(size=n),
        "coolant_temp": 85 + 4 * outside + 1.5 * rng.normal(size=n),
        "air_density": 1.2 - 0.03 * outside + 0.01 * rng.normal(size=n),
    },
    index=time,
).mask(rng.random((n, 12)) < 0.03)
log.loc[time[4000:], "current"] += np.linspace(0, 15, 1000)

# %%
# Standard deviations differ ten-million-fold, so features are standardised. Missing values are
# replaced by their expectation. The model is fitted to the first 3,000 samples.

model = MinSyn(standardize=True, random_state=0).set_output(transform="pandas")
model.fit(log.iloc[:3000])
figure = model.plot_loadings()

# %%
# Each factor is one cause; correlations with the causes that made the log:

Z = model.transform(log)
causes = pd.DataFrame({"speed": speed, "load": load, "outside": outside}, index=time)
print(pd.concat([Z, causes], axis=1).iloc[:4000].corr().loc[Z.columns, causes.columns].round(2))

# %%
# The residuals, in standard deviations of the first part, show the fault.

residual = log - model.reconstruct(log)
surprise = (residual / residual.iloc[:3000].std()).rolling(60, min_periods=1).mean()
figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
others = surprise.columns.drop("current")
ax.plot(surprise[others], color="0.75", lw=0.7)
ax.plot(surprise["current"], color="C3", label="current")
ax.axvline(time[4000], color="0.3", ls=":", label="fault begins")
ax.set(ylabel="residual, mean of an hour (sd)", xlabel="time")
ax.legend(frameon=False, loc="upper left")
plt.show()
