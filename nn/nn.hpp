// All of nn.
#pragma once

#include <nn/csv.hpp>
#include <nn/data.hpp>
#include <nn/dense.hpp>
#include <nn/initializers.hpp>
#include <nn/layers.hpp>
#include <nn/mlp.hpp>
#include <nn/optimizers.hpp>
#include <nn/safetensors.hpp>
