"""A fault of oneDNN, which computes PyTorch's convolutions on processors, and the shapes that it concerns.

On a processor with AVX2 but without AVX-512, the gradient of a strided 1x1 convolution in the channels-last memory
format is written past the end of its memory when the input has fewer channels than a vector has numbers (8). The
process then crashes, or hangs for ever. Searched for in torch 2.15 with guard pages behind every tensor: kernels of 1,
2, 3, 4, 5 and 7 pixels, strides of 1 to 4, 1 to 64 channels, grouped and depthwise, in fp32; nothing else was unsafe,
and neither was a 1x1 convolution in bf16.
"""

from __future__ import annotations

from torch import nn

SAFE_CHANNELS = 8
"""Channels of the input from which on the gradient of a strided 1x1 convolution stays in its memory."""


def unsafe_convolutions(network: nn.Module) -> list[str]:
    """Name the convolutions of a network that must not be trained channels last on a processor with AVX2 alone."""
    return [
        name
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Conv2d)
        and layer.kernel_size == (1, 1)
        and max(int(each) for each in layer.stride) > 1
        and layer.in_channels < SAFE_CHANNELS
    ]
