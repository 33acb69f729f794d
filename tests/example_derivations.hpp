// The derivations that the project ships.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

inline std::vector<std::string> example_derivations() {
    std::vector<std::string> paths;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(DELTARULE_SOURCE_DIR "/examples/derivations"))
        if (entry.path().extension() == ".deriv" ||
            (entry.path().extension() == ".md" && entry.path().filename() != "README.md"))
            paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    return paths;
}
