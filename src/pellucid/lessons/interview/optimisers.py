"""Interview questions on optimisers."""

from __future__ import annotations

from pellucid.lessons.interview.open_question import OpenQuestion

__all__ = ["QUESTIONS"]

QUESTIONS = (
    OpenQuestion(
        text=("Write down Adam and explain the bias correction."),
        answer=(
            "Adam keeps running means of the gradient, m ← β₁m + (1 − β₁) g, and of its square, s ← β₂s + (1 − "
            "β₂) g². It corrects both, m̂ = m / (1 − β₁ᵗ) and ŝ = s / (1 − β₂ᵗ), and steps w ← w − η m̂ / (√ŝ + "
            "ε). Usual are β₁ = 0.9, β₂ = 0.999 and ε = 10⁻⁸. Both means start at zero and are therefore too "
            "small at first: after one step m is 0.1 g and s is 0.001 g². Uncorrected, the first step would be "
            "0.1 / √0.001 = 3.16 times η. Corrected, it is η, whatever the size of the gradient."
        ),
        points=(
            "both running means and the update",
            "zero start makes them too small; division by 1 − βᵗ",
            "step size about η, independent of the gradient's scale",
        ),
    ),
    OpenQuestion(
        text=("What does momentum change, and how does it interact with the learning rate?"),
        answer=(
            "Momentum keeps a velocity, v ← μv + g, and steps w ← w − η v. Gradients that agree add up: for a "
            "constant gradient v tends to g / (1 − μ), ten times g for μ = 0.9. Gradients that change sign "
            "cancel: for ±g in turn the velocity settles at g / (1 + μ), about 0.53 g. So it speeds up along a "
            "valley and damps swings across it. The effective learning rate is η / (1 − μ); if one raises μ from 0 "
            "to 0.9, one should lower η. Nesterov's variant takes the gradient one step ahead, which damps better. "
            "With too much momentum it overshoots."
        ),
        points=(
            "velocity as a decaying sum of gradients",
            "1 / (1 − μ) along, cancellation across",
            "effective learning rate η / (1 − μ)",
        ),
    ),
    OpenQuestion(
        text=("SGD with momentum or Adam: how do you choose?"),
        answer=(
            "Adam divides each weight's step by the typical size of its gradient, so weights with small and "
            "large gradients move alike and one learning rate suits many networks. It is the safe first choice, "
            "and with decoupled decay, as AdamW, the standard for transformers and sparse gradients. It stores "
            "two numbers for each weight, momentum one, plain SGD none; for a million float32 weights that is 8 "
            "MB against 4 MB. Well-tuned SGD with momentum can generalise as well or better on image networks, "
            "but needs more care with the rate and its schedule. If it matters, I tune the learning rate of "
            "both and compare on validation rows."
        ),
        points=(
            "adaptive step for each weight, less tuning",
            "memory: two, one or no numbers for each weight",
            "fair comparison: tune each one's learning rate",
        ),
    ),
    OpenQuestion(
        text=("Why do we change the learning rate during training?"),
        answer=(
            "At the start, large steps make progress; near the end the noise of mini-batches keeps the weights "
            "shaking around the minimum, at a distance that grows with η, so a smaller rate lets them settle. A "
            "cosine schedule without warm-up takes η · ½ (1 + cos(π t / T)) at step t of T: the full rate at "
            "the start, half of it half-way, nearly nothing at the end. Warm-up begins with a small rate for "
            "some hundred steps, because early gradients are large and Adam's running means rest on few values. "
            "Alternatives are drops at fixed epochs, or when the validation loss stops falling."
        ),
        points=(
            "large steps first, small ones against noise at the end",
            "a schedule with its formula, such as cosine",
            "why warm-up helps",
        ),
    ),
    OpenQuestion(
        text=("What is gradient clipping, and when is it needed?"),
        answer=(
            "Clipping by norm scales the whole gradient if its norm exceeds a limit c: g ← g · min(1, c / ‖g‖). "
            "The direction stays. For g = [3, 4], whose norm is 5, and c = 1, it becomes [0.6, 0.8]. Clipping "
            "each number by itself would give [1, 1] and change the direction. It is used where single batches "
            "give huge gradients: recurrent networks, transformers, reinforcement learning. It limits the "
            "damage of a spike, which would otherwise throw the weights far away. It does not cure a learning "
            "rate that is too high in general; if nearly every step is clipped, the limit only acts as a "
            "smaller rate. I watch the norm before choosing c."
        ),
        points=(
            "scale by min(1, c / ‖g‖), over all parameters together",
            "by norm keeps the direction, by value does not",
            "for spikes; monitor how often it acts",
        ),
    ),
)
