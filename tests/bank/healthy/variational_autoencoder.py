"""A small variational autoencoder: a code that is drawn, a divergence that is added to the loss."""

import chainrule as cr

CAUSE = ""
LEARNS = 0.35


class VAE(cr.nn.Module):
    def __init__(self):
        self.encoder = cr.nn.Sequential(cr.nn.Linear(64, 48), cr.nn.ReLU(), cr.nn.Linear(48, 16))
        self.decoder = cr.nn.Sequential(cr.nn.Linear(8, 48), cr.nn.ReLU(), cr.nn.Linear(48, 64))

    def forward(self, x):
        code = self.encoder(x)
        mean, log_variance = code[:, :8], code[:, 8:]
        z = mean + cr.exp(0.5 * log_variance) * cr.randn(*mean.shape)
        return self.decoder(z), mean, log_variance


train, validation, test = cr.data.split(cr.data.digits(), seed=39)
cr.seed(39)
model = VAE()
optimizer = cr.optim.Adam(model, lr=0.003)
for epoch in range(12):
    for x, _ in cr.data.Loader(train.x, train.y, batch_size=64).epoch(epoch):
        optimizer.zero_grad()
        image, mean, log_variance = model(x)
        divergence = 0.5 * (cr.exp(log_variance) + mean**2 - 1 - log_variance).sum(axis=-1).mean()
        (((image - x) ** 2).sum(axis=-1).mean() + 0.05 * divergence).backward()
        optimizer.step()
drawn = model.decoder(model.encoder(test.x)[:, :8]).numpy()
score = 1 - ((drawn - test.x) ** 2).mean() / ((test.x - train.x.mean(0)) ** 2).mean()
