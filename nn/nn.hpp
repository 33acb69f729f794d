// All of nn.
#pragma once

#include <nn/attention.hpp>
#include <nn/average.hpp>
#include <nn/checkpoint.hpp>
#include <nn/convolution.hpp>
#include <nn/csv.hpp>
#include <nn/data.hpp>
#include <nn/dense.hpp>
#include <nn/embedding.hpp>
#include <nn/fit.hpp>
#include <nn/gradient_tools.hpp>
#include <nn/initializers.hpp>
#include <nn/layers.hpp>
#include <nn/lbfgs.hpp>
#include <nn/metrics.hpp>
#include <nn/mlp.hpp>
#include <nn/mode.hpp>
#include <nn/nonlinearities.hpp>
#include <nn/normalization.hpp>
#include <nn/numpy.hpp>
#include <nn/optimizers.hpp>
#include <nn/pooling.hpp>
#include <nn/recurrent.hpp>
#include <nn/safetensors.hpp>
#include <nn/schedules.hpp>
#include <nn/summary.hpp>
