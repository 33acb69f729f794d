// Exercises and answers, each of which may be anything: read, graded, and printed.
#include <derivation/grade.hpp>
#include <nlohmann/json.hpp>
#include <nn/files/text.hpp>

#include "fuzz.hpp"

namespace {

using derivation::Exercise;
using derivation::Grade;

const std::string known = R"(```deriv
index i = 3
given x[i], w[i], t
let y = tanh(sum(i, w[i] * x[i]))
let E = 1/2 * (y - t)^2
```
```points
(a) dE/dy: 1
(b) dE/dw[i]: 2 with (a) without exp
(c) update w[i]: 1.5
```
)";

void require_a_line(const derivation::ReadError& error) {
    fuzz::require(!error.sentence.empty() && error.sentence.find('\n') == std::string::npos,
                  "an error is a line: " + error.sentence);
    fuzz::require(error.line >= 1, "an error has a place");
}

void require_sense(const Exercise& exercise, const Grade& grade) {
    if (grade.error) require_a_line(*grade.error);
    fuzz::require(grade.tasks.size() == exercise.tasks.size(), "each label has its grade");
    for (const derivation::TaskGrade& task : grade.tasks) {
        const bool counts =
            task.outcome == derivation::TaskOutcome::derived || task.outcome == derivation::TaskOutcome::follows;
        fuzz::require(task.earned == (counts ? task.points : 0), "a label earns its points or nothing");
        fuzz::require(grade.error || task.outcome == derivation::TaskOutcome::derived || !task.remark.empty(),
                      "what earns nothing has a reason: " + task.label);
    }
    for (const std::string& text : {derivation::to_text(exercise, {grade}), derivation::to_csv(exercise, {grade}),
                                    derivation::to_hint(exercise, grade, 1), derivation::to_hint(exercise, grade, 3)})
        fuzz::require(nn::files::is_plain(text), "what is shown is plain: " + nn::files::printable(text));
    fuzz::require(nlohmann::json::parse(derivation::to_json(exercise, {grade})).is_object(), "JSON is an object");
}

}  // namespace

int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string text = fuzz::text_of(data, size);
    static const Exercise exercise = derivation::read_exercise(known);
    fuzz::require(!exercise.error, "the known exercise is one");
    require_sense(exercise, derivation::grade(exercise, text));
    const Exercise read = derivation::read_exercise(text);
    if (read.error)
        require_a_line(*read.error);
    else
        require_sense(read, derivation::grade(read, "claim (a) dE/dy[k] = y[k] - t[k]\nclaim (b) dE/dy = y - t\n"));
    return 0;
}
