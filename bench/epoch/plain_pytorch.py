"""An epoch of Fashion-MNIST with the plainest PyTorch, to be held beside `deltarule train` with the same options.

    plain_pytorch.py FOLDER [--epochs 3] [--threads 1]     the folder with the four gzipped IDX files
"""

import argparse
import gzip
import time

import numpy
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--threads", type=int, default=1)
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.manual_seed(1)


def read(name, header):
    with gzip.open(f"{options.folder}/{name}-ubyte.gz") as file:
        return torch.from_numpy(numpy.frombuffer(file.read(), numpy.uint8, offset=header).copy())


def data_of(part):
    x = read(f"{part}-images-idx3", 16).view(-1, 784).float() / 255
    return TensorDataset(x, read(f"{part}-labels-idx1", 8).long())


training, test = data_of("train"), data_of("t10k")
network = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
loss_of = nn.CrossEntropyLoss()
for epoch in range(1, options.epochs + 1):
    start = time.perf_counter()
    for x, labels in DataLoader(training, batch_size=128, shuffle=True):
        optimizer.zero_grad()
        loss_of(network(x), labels).backward()
        optimizer.step()
    print(f"epoch {epoch}: {time.perf_counter() - start:.2f} s")
with torch.inference_mode():
    x, labels = test.tensors
    print(f"test accuracy: {(network(x).argmax(1) == labels).float().mean().item():.2%}")
