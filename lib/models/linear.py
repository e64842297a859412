"""A linear layer that applies R replicates at once, one batched matrix product forward and one for each gradient.

    y = (W xᵀ)ᵀ + b,    ∂L/∂W = gᵀ x,    ∂L/∂x = g W,    ∂L/∂b = Σ g     (g = ∂L/∂y; Σ over the batch)

for W [R, O, I], b [R, O] and x [R, B, I]. Written this way round, automatic differentiation computes ∂L/∂W in the layout of
W; from x Wᵀ, as `torch.func.vmap` has it, it computes the transpose, and copying that took as long as the products.
The layer computes in the type of its input: a bfloat16 batch means bfloat16 products of float32 weights.
"""

from torch import Tensor, nn
from torch.nn.functional import linear


class Linear(nn.Linear):
    """`torch.nn.Linear` with a bias, whose parameters may have a leading replicate axis."""

    def forward(self, input: Tensor) -> Tensor:
        """Map [batch, in] to [batch, out], or with stacked parameters [R, batch, in] or [batch, in] to [R, batch, out]."""
        weight, bias = self.weight.to(input), self.bias.to(input)
        if weight.dim() == 2:
            return linear(input, weight, bias)
        return (weight @ input.mT).mT + bias.unsqueeze(-2)
