"""cr.softmax inside of forward, cross_entropy outside (as in code ported from Keras)."""

import chainrule as cr

BROKEN = True
CAUSE = "softmax applied twice"
LEARNS = -0.4

train, validation, test = cr.data.split(cr.data.iris(), seed=1)
mean, std = train.x.mean(0), train.x.std(0)


class Net(cr.nn.Module):
    def __init__(self):
        self.fc1 = cr.nn.Linear(4, 16)
        self.fc2 = cr.nn.Linear(16, 3)

    def forward(self, x):
        z = self.fc2(cr.tanh(self.fc1(x)))
        return cr.softmax(z) if BROKEN else z


cr.seed(1)
model = Net()
optimizer = cr.optim.Adam(model, lr=0.02)
for epoch in range(40):
    for x, y in cr.data.Loader((train.x - mean) / std, train.y, batch_size=16).epoch(epoch):
        optimizer.zero_grad()
        cr.losses.cross_entropy(model(x), y).backward()
        optimizer.step()
score = -cr.losses.cross_entropy(model((test.x - mean) / std), test.y).item()
