"""A convolutional autoencoder without bounds on its output, trained by SGD at 20: it diverges in a few steps."""

import chainrule as cr

BROKEN = True
CAUSE = "learning rate blow-up"
LEARNS = 0.5

train, validation, test = cr.data.split(cr.data.digits())
mean = train.x.mean(0)
images = (train.x - mean).reshape(-1, 1, 8, 8)
cr.seed(2)
model = cr.nn.Sequential(
    encode=cr.nn.Conv2d(1, 8, 3, stride=2, padding=1),
    tanh=cr.nn.LeakyReLU(0.2),
    decode=cr.nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1),
)
optimizer = cr.optim.SGD(model, lr=20.0 if BROKEN else 0.2, momentum=0.9)
loader = cr.data.Loader(images, images, batch_size=64)
for epoch in range(8):
    for x, y in loader.epoch(epoch):
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
held = (test.x - mean).reshape(-1, 1, 8, 8)
score = 1 - ((model(held).numpy() - held) ** 2).mean() / held.var()
