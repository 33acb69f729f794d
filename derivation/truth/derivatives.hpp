// Derivatives at a point, by walking back over what is recorded there.
#pragma once

#include <derivation/truth/adjoints.hpp>
#include <derivation/truth/recorder.hpp>
#include <string>
#include <unordered_map>

namespace derivation {

class Derivatives {
  public:
    Derivatives(const Model& model, Recorder& recorder) : model_(model), recorder_(recorder) {}

    ~Derivatives() { model_.budget->release(bytes_); }
    Derivatives(const Derivatives&) = delete;
    Derivatives& operator=(const Derivatives&) = delete;

    /// The derivative that e names, where the letters have these values; `kinked` is set where its formula stands on a
    /// kink.
    Rounded at(const Expression& e, const Letters& letters, bool& kinked);

  private:
    const Adjoints& adjoints_of(Version& version, const Expression& of, const Letters& letters);
    const Adjoints& adjoints_of_lower(Version& version, const Expression& e, const Letters& letters);
    std::optional<Rounded> local(const Expression& of, const Expression& by, const Letters& letters, bool& kinked);

    Adjoints walked_back(const autograd::Variable<double>& y);
    /// The same of what is recorded for it.
    template <class Record>
    Adjoints walked_back_from(const Record& record);

    const Model& model_;
    Recorder& recorder_;
    std::size_t bytes_ = 0;  ///< of what is kept
    const Adjoints nothing_;
    // Every walk back is taken once: from a node, from a formula, from a definition whose other names are held.
    std::unordered_map<std::uint32_t, Adjoints> of_nodes_;
    std::unordered_map<std::string, Adjoints> of_formulas_;
    std::map<std::tuple<int, std::size_t, int>, Adjoints> of_definitions_;
};

}  // namespace derivation
