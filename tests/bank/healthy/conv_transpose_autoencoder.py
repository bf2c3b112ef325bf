"""An autoencoder of a convolution and its transpose, on centred digits."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.7

train, validation, test = cr.data.split(cr.data.digits(), seed=10)
mean = train.x.mean(0)
images = (train.x - mean).reshape(-1, 1, 8, 8)
held = (test.x - mean).reshape(-1, 1, 8, 8)
cr.seed(10)
model = cr.nn.Sequential(
    encode=cr.nn.Conv2d(1, 8, 3, stride=2, padding=1),
    act=cr.nn.ELU(),
    decode=cr.nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1),
)
optimizer = cr.optim.Adam(model, lr=0.01)
for epoch in range(8):
    for x, _ in cr.data.Loader(images, images, batch_size=64).epoch(epoch):
        optimizer.zero_grad()
        loss = cr.losses.mse(model(x), x)
        loss.backward()
        optimizer.step()
score = 1 - ((model(held).numpy() - held) ** 2).mean() / held.var()
