// A trained network as a header of C++17 that needs no other source.
#pragma once

#include <string>

#include "saved_network.hpp"

struct NetworkHeader {
    std::string header, weights;  ///< the second is empty where all stands in the first
};

/// The header's name as a name in C++: iris_network for iris.hpp.
std::string namespace_of(const std::string& path);

/// `path` is the header's, `weights_name` the file's beside it for more numbers than a source should hold.
NetworkHeader network_header(const Model& model, const std::string& path, const std::string& weights_name);
