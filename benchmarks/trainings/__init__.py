"""A whole training in each library: `train(data, test images, epochs, seed)` gives seconds and predictions.

Perceptron 784-256-128-10 with ReLU, Adam with lr 0.001, shuffled batches of 128, first weights as the library draws
them. The seconds are those of the training call, with all that it prepares and compiles; data is in memory before.
"""
