"""Networks as scikit-learn estimators: they fit, predict, search and pickle as everything else there does.

    >>> from sklearn.datasets import load_iris
    >>> from pellucid.estimators import NeuralClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = NeuralClassifier((16,), max_iter=60, learning_rate=0.01, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True

| file | what it does |
|---|---|
| `classifier`, `regressor`, `autoencoder` | what the three networks answer |
| `perceptron` | Rosenblatt's rule, one neuron for each class |
| `base` | the parameters and the way from ``fit`` to the weights |
| `settings` | the parameters, checked and turned into descriptions |
| `inputs` | from arrays and frames to the inputs of a network |
| `learning` | one network, several, or one more epoch |
| `held_out` | what the rows held out decide: temperature, threshold, width of an interval |
| `stored` | the model file |

Importing this loads scikit-learn's base (and what that loads by itself), but not PyTorch.
"""

from __future__ import annotations

from pellucid.estimators.autoencoder import NeuralAutoencoder
from pellucid.estimators.classifier import NeuralClassifier
from pellucid.estimators.perceptron import PerceptronClassifier
from pellucid.estimators.regressor import NeuralRegressor

__all__ = ["NeuralAutoencoder", "NeuralClassifier", "NeuralRegressor", "PerceptronClassifier"]
