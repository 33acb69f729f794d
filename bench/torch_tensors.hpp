// Arrays as libtorch's tensors, and back.
#pragma once

#include <torch/torch.h>

#include <autograd/array.hpp>
#include <cstdint>
#include <span>
#include <vector>

/// Shares the array's memory.
template <class T>
torch::Tensor tensor_of(const autograd::Array<T>& array) {
    const std::vector<std::int64_t> shape(array.shape().begin(), array.shape().end());
    return torch::from_blob(const_cast<T*>(array.data()), shape, torch::CppTypeToScalarType<T>::value);
}

inline std::span<const float> numbers_of(const torch::Tensor& tensor) {
    return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}
