"""Studies of whole trainings on tables: XOR, circles, iris, overfitting and a comparison of designs."""
