// The earlier name of `autograd/grad.hpp`.
#pragma once

#include <autograd/grad.hpp>
