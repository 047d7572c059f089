"""The simpler models that a network for series, forecasts, texts and chords is compared with.

| file | peers |
|---|---|
| `series_peers` | the nearest series, Euclidean or warped in time; ridge regression on random convolutions |
| `forecast_peers` | persistence, seasonal persistence, linear autoregression |
| `text_peers` | a linear model on weighted words |
| `ngrams` | n-grams with Kneser-Ney smoothing, for the next character |
| `repeated_steps` | repeating the last chord |

What they are made of: `series` (rows, lengths, padding), `dtw` (dynamic time warping) and `random_convolutions`.
"""
