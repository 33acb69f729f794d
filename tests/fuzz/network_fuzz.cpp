// Networks that the program saved: a changed file is refused, or is as good as any other network.
#include <app/saved_network.hpp>
#include <autograd/tape.hpp>
#include <nn/mode.hpp>
#include <optional>
#include <stdexcept>

#include "fuzz.hpp"

namespace {

/// What the network answers for a row of zeros, and for one of distant numbers; nothing where that is too far away.
std::vector<autograd::Array<float>> answers(const Model& model) {
    std::vector<autograd::Array<float>> all;
    autograd::Tape<float> tape;
    const nn::Evaluation<float> evaluation(tape);
    for (const double x : {0.0, 7.5, -1e6}) {
        const autograd::Array<double> row(autograd::Shape{1, model.scaling.offset.size()}, x);
        try {
            all.push_back(
                model.network(tape.constant(model.scaling(row, [](auto...) { return std::string(); }))).value());
            fuzz::require(all.back().shape() == autograd::Shape{1, model.outputs()},
                          "one answer for each class or target");
        } catch (const std::invalid_argument&) {
            all.emplace_back();
        } catch (const std::overflow_error&) {  // of a normalization
            all.emplace_back();
        }
    }
    return all;
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const fuzz::MemoryFile file(fuzz::text_of(data, size));
    std::optional<Model> first;
    if (!fuzz::accepts([&] { first.emplace(load(file.path())); })) return 0;
    fuzz::require(is_finite(first->network), "numbers are finite");
    save(fuzz::writable_path(), *first);
    const Model second = load(fuzz::writable_path());
    unlink(fuzz::writable_path().c_str());
    fuzz::require(second.class_names == first->class_names && second.columns == first->columns &&
                      second.fill == first->fill && second.target_name == first->target_name &&
                      second.target_names == first->target_names && second.network.line() == first->network.line(),
                  "names come back");
    for (const auto scaling : {&Model::scaling, &Model::target_scaling})
        fuzz::require((second.*scaling).offset == ((*first).*scaling).offset &&
                          (second.*scaling).factor == ((*first).*scaling).factor,
                      "scales come back");
    const auto before = answers(*first), after = answers(second);
    for (std::size_t i = 0; i < before.size(); ++i) fuzz::require(fuzz::same(before[i], after[i]), "answers come back");
    return 0;
}
