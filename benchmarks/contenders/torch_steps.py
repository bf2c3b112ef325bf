"""PyTorch as its users write it: `torch.nn` modules, fused Adam; eager, or with model and loss under torch.compile."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.workloads import Workload, flat_after_pooling


def mlp(widths: tuple[int, ...], activation: str = "relu") -> nn.Module:
    model = nn.Sequential()
    for i in range(1, len(widths)):
        if i > 1:
            model.add_module(f"act{i - 1}", {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}[activation]())
        model.add_module(f"fc{i}", nn.Linear(widths[i - 1], widths[i]))
    return model


class CNN(nn.Module):
    """`pools_first` is the same network, for ReLU and the largest entry commute.

    torch.compile of PyTorch 2.13 gives the convolutions below gradients of exactly 0 where the pooling comes last.
    """

    pools_first = False

    def __init__(self, channels: tuple[int, ...], side: int, hidden: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(channels[0], channels[1], 3), nn.Conv2d(channels[1], channels[2], 3)
        self.fc1, self.fc2 = nn.Linear(flat_after_pooling(channels, side), hidden), nn.Linear(hidden, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv2(F.relu(self.conv1(x)))
        x = F.relu(F.max_pool2d(x, 2)) if self.pools_first else F.max_pool2d(F.relu(x), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


class ConvBlock(nn.Module):
    def __init__(self, channels: int, side: int, blocks: int) -> None:
        super().__init__()
        self.blocks = blocks
        for i in range(1, blocks + 1):
            setattr(self, f"conv{i}", nn.Conv2d(channels, channels, 3, padding=1))
            setattr(self, f"norm{i}", nn.BatchNorm2d(channels))
        self.fc = nn.Linear(channels, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for i in range(1, self.blocks + 1):
            x = F.relu(getattr(self, f"norm{i}")(getattr(self, f"conv{i}")(x)))
        return self.fc(x.mean((2, 3)))


class LastState(nn.Module):
    def __init__(self, inputs: int, hidden: int, time: int) -> None:
        super().__init__()
        self.lstm, self.fc = nn.LSTM(inputs, hidden, batch_first=True), nn.Linear(hidden, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        _, (h, _) = self.lstm(x)
        return self.fc(h[-1])


class Block(nn.Module):
    """A block of nanoGPT: one projection to queries, keys and values, PyTorch's fused attention, GELU."""

    def __init__(self, heads: int, width: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, t, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).split(d, dim=2)
        q, k, v = (a.view(n, t, self.heads, d // self.heads).transpose(1, 2) for a in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(y.transpose(1, 2).contiguous().view(n, t, d))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class GPT(nn.Module):
    def __init__(self, layers: int, heads: int, width: int, context: int, vocabulary: int) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.layers = nn.ModuleList(Block(heads, width) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1], device=ids.device))
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x)).flatten(0, 1)


MODELS = {"mlp": mlp, "cnn": CNN, "convblock": ConvBlock, "lstm": LastState, "gpt": GPT}


class Trainer:
    """The usual loop's body: zero_grad, forward, backward, step; with `half` the model under autocast to bfloat16."""

    def __init__(self, workload: Workload, compiled: bool = False, device: str = "cpu", half: bool = False) -> None:
        torch.backends.cudnn.allow_tf32 = False  # float32 with all its digits, as products have them
        self.model = MODELS[workload.kind](**workload.sizes).to(device)
        if isinstance(self.model, CNN):
            self.model.pools_first = compiled
        self.model.load_state_dict({n: torch.from_numpy(w) for n, w in workload.weights.items()}, strict=False)
        self.optimizer = (
            torch.optim.Adam(self.model.parameters(), lr=workload.lr, fused=True)
            if workload.optimizer == "adam"
            else torch.optim.SGD(self.model.parameters(), lr=workload.lr, fused=True)
        )
        self.batches = [tuple(torch.from_numpy(a).to(device) for a in batch) for batch in workload.batches]
        model, criterion = (
            self.model,
            F.binary_cross_entropy_with_logits if workload.name == "tiny" else F.cross_entropy,
        )

        def forward(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            with torch.autocast(device, torch.bfloat16, enabled=half):
                z = model(x)
            return criterion(z.float() if half else z, y)

        mode = "reduce-overhead" if device == "cuda" else None
        self.forward = torch.compile(forward, mode=mode) if compiled else forward

    def step(self, k: int) -> Any:
        x, y = self.batches[k % len(self.batches)]
        self.optimizer.zero_grad()
        loss = self.forward(x, y)
        loss.backward()
        self.optimizer.step()
        return loss

    def value(self, loss: Any) -> float:
        return loss.item()


start = Trainer
