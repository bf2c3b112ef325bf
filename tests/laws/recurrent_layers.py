"""One of each recurrent layer and cell, 3 features in and 4 out. They give more than one result, or take a step."""

from chainrule import nn

LAYERS = {
    "RNN": lambda **options: nn.RNN(3, 4, **options),
    "LSTM": lambda **options: nn.LSTM(3, 4, **options),
    "GRU": lambda **options: nn.GRU(3, 4, **options),
    "ChungGRU": lambda **options: nn.ChungGRU(3, 4, **options),
    "ResidualRNN": lambda **options: nn.ResidualRNN(3, 4, **options),
    "HighwayRNN": lambda **options: nn.HighwayRNN(3, 4, **options),
}
CELL_OF = {name: f"{name}Cell" for name in LAYERS} | {"HighwayRNN": "HighwayCell"}
CELLS = {
    "RNNCell": lambda: nn.RNNCell(3, 4),
    "LSTMCell": lambda: nn.LSTMCell(3, 4),
    "GRUCell": lambda: nn.GRUCell(3, 4),
    "ChungGRUCell": lambda: nn.ChungGRUCell(3, 4),
    "ResidualRNNCell": lambda: nn.ResidualRNNCell(3, 4),
    "HighwayCell": lambda: nn.HighwayCell(3, 4),
}
RECURRENT_LAYERS = {*LAYERS, *CELLS, "Recurrent"}
