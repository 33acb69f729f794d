// The whole engine.
#pragma once

#include <autograd/compare.hpp>
#include <autograd/grad.hpp>
#include <autograd/gradcheck.hpp>
#include <autograd/operations.hpp>
#include <autograd/operations/partners.hpp>
#include <autograd/precision.hpp>
#include <autograd/print.hpp>
#include <autograd/record.hpp>
