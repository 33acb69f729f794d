// onnx_networks FOLDER: writes the networks of onnx_examples.hpp there, and what they answer for 1, 3 and 8 rows.
#include <cstdio>
#include <exception>
#include <fstream>

#include "onnx_export/onnx_examples.hpp"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    try {
        for (const auto& [name, network] : examples::all()) {
            const std::string path = std::string(argv[1]) + "/" + name;
            std::ofstream(path + ".onnx", std::ios::binary) << network.onnx;
            for (const std::size_t rows : {1, 3, 8})
                nn::save_npz(path + "." + std::to_string(rows) + ".npz", network.answers(rows));
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
