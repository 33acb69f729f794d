#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <algorithm>
#include <derivation/formula/characters.hpp>
#include <derivation/formula/elementary.hpp>
#include <derivation/grade/earning.hpp>
#include <derivation/grade/reading.hpp>
#include <new>

namespace derivation {

namespace {

constexpr double most_points = 1e6;
constexpr std::size_t most_tasks = 200;
constexpr std::string_view form =
    "a line here has the form (a) dE/dw[i]: 2, with the label, the derivative and its points";

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

std::string_view next_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

/// A line of the file that cannot be read.
struct Refused {
    std::size_t line;
    std::string sentence;
};

std::string_view next_word(std::string_view& text) {
    while (!text.empty() && (is_blank(text.front()) || text.front() == ',')) text.remove_prefix(1);
    std::size_t end = 0;
    while (end < text.size() && !is_blank(text[end]) && text[end] != ',') ++end;
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    return word;
}

class PointsReader {
  public:
    explicit PointsReader(std::vector<Task>& tasks) : tasks_(tasks) {}

    void run(std::string_view text) {
        while (!text.empty()) {
            ++number_;
            std::string_view line = next_line(text);
            line = trimmed(line.substr(0, line.find('#')));
            if (line.starts_with("- ") || line.starts_with("* ")) line = trimmed(line.substr(2));
            if (!line.empty()) read(line);
        }
        for (Task& task : tasks_) task.without.insert(task.without.end(), without_.begin(), without_.end());
    }

  private:
    void read(std::string_view line) {
        if (line.starts_with("without ")) {
            line.remove_prefix(8);
            while (!trimmed(line).empty())
                if (const std::string_view word = next_word(line); !word.empty()) without_.emplace_back(word);
            return;
        }
        const std::size_t close = line.find(')'), colon = line.rfind(':');
        if (!line.starts_with("(") || close == std::string_view::npos || colon == std::string_view::npos ||
            colon < close)
            throw Refused{number_, std::string(form)};
        Task task;
        task.line = number_;
        task.label = trimmed(line.substr(1, close - 1));
        task.left = trimmed(line.substr(close + 1, colon - close - 1));
        if (task.left.empty()) throw Refused{number_, std::string(form)};
        std::string_view rest = trimmed(line.substr(colon + 1));
        const auto [end, error] = fast_float::from_chars(rest.data(), rest.data() + rest.size(), task.points);
        const bool ends = end == rest.data() + rest.size() || is_blank(*end) || *end == ',';
        if (error != std::errc() || !ends || !(task.points >= 0 && task.points <= most_points))
            throw Refused{number_, "behind the colon stands what the label is worth, a number from 0 on"};
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        std::vector<std::string>* list = nullptr;
        while (!trimmed(rest).empty()) {
            const std::string_view word = next_word(rest);
            if (word == "with")
                list = &task.with;
            else if (word == "without")
                list = &task.without;
            else if (list == nullptr && (word == "point" || word == "points"))
                continue;
            else if (list != nullptr && !word.empty())
                list->emplace_back(word);
            else if (!word.empty())
                throw Refused{number_, fmt::format("behind the points stand names, as in: 2 with delta, or: 2 without "
                                                   "tanh; {} is neither",
                                                   word)};
        }
        for (const Task& other : tasks_)
            if (other.label == task.label)
                throw Refused{number_, fmt::format("the label ({}) stands in line {} already", task.label, other.line)};
        if (tasks_.size() >= most_tasks) throw Refused{number_, "these are more than 200 labels"};
        tasks_.push_back(std::move(task));
    }

    std::vector<Task>& tasks_;
    std::vector<std::string> without_;
    std::size_t number_ = 0;
};

/// The names of a list as the reader of formulas knows them: \delta is delta.
void resolve_names(const Exercise& exercise, const Derivation& derivation, const Task& task,
                   std::vector<std::string>& names, bool may_be_labels) {
    for (std::string& name : names) {
        const auto label =
            std::ranges::find_if(exercise.tasks, [&](const Task& other) { return name == "(" + other.label + ")"; });
        if (may_be_labels && label != exercise.tasks.end()) {
            if (label->line >= task.line) throw Refused{task.line, fmt::format("{} is no label above this one", name)};
            continue;
        }
        try {
            const std::vector<Token> tokens = tokens_of(name, {{0, name.size()}}, derivation.source.macros);
            if (tokens.size() == 2) {
                const bool is_sum =
                    tokens[0].kind == TokenKind::symbol && (tokens[0].is("sum") || tokens[0].is("prod"));
                if (tokens[0].kind == TokenKind::word || is_sum) name = tokens[0].text;
            }
            if (!derivation.model.has(name)) {
                Parser parser(derivation.model, tokens);
                if (const std::string read = parser.name(true).name; derivation.model.has(read) && parser.at_end())
                    name = read;
            }
        } catch (const Error&) {  // said below
        }
        const bool of_language = find_elementary(name) != nullptr || name == "softmax" || name == "sum" ||
                                 name == "prod" || name == "mean" || name == "max" || name == "min";
        if (!derivation.model.has(name) && (may_be_labels || !of_language))
            throw Refused{
                task.line,
                fmt::format("{} is {}", name,
                            may_be_labels ? "neither a name that is declared above nor a label, as in: with (a)"
                                          : "no name that is declared above, and no function")};
    }
}

void require_sense(Exercise& exercise) {
    const std::size_t above = number_of_lines(exercise.declarations);
    const Derivation derivation = [&] {
        try {
            return read_derivation(lines_above(exercise));
        } catch (const Error& error) {
            const std::size_t line = Source(lines_above(exercise)).position(error.span.begin).line;
            throw Refused{line <= above ? line : exercise.tasks[line - above - 1].line, error.what()};
        }
    }();
    for (const Line& line : derivation.lines)
        if (line.number <= above)
            throw Refused{line.number, "an exercise declares, and its answers claim: this line belongs to an answer"};
    for (std::size_t i = 0; i < exercise.tasks.size(); ++i) {
        Task& task = exercise.tasks[i];
        const Line& line = derivation.lines.at(i);
        if (line.label != task.label)
            throw Refused{task.line, "a label is one word of at most 18 letters and digits, as in (a) or (2.1)"};
        if (line.fault) throw Refused{task.line, line.fault->what()};
        if (line.members.size() != 2) throw Refused{task.line, std::string(form)};
        if (!line.is_update && !hides_derivative(derivation.model, line.checked.members[0]))
            throw Refused{task.line, fmt::format("{} is no derivative: what is asked for is one, as dE/dw[i], or an "
                                                 "update, as update w[i]",
                                                 task.left)};
        resolve_names(exercise, derivation, task, task.with, true);
        resolve_names(exercise, derivation, task, task.without, false);
    }
}

}  // namespace

std::optional<std::string> blocks_fenced_as(std::string_view language, std::string_view text) {
    std::string result;
    bool in_block = false, in_this = false, any = false;
    while (!text.empty()) {
        const std::string_view line = next_line(text), words = trimmed(line);
        if (words.starts_with("```")) {
            in_block = !in_block;
            in_this = in_block && words.substr(3).starts_with(language);
            any = any || in_this;
        } else if (in_this) {
            result += line;
        }
        result += '\n';
    }
    if (!any) return {};
    return result;
}

std::size_t number_of_lines(std::string_view text) { return static_cast<std::size_t>(std::ranges::count(text, '\n')); }

std::string lines_above(const Exercise& exercise) {
    std::string result = exercise.declarations;
    for (const Task& task : exercise.tasks) {
        const bool is_update = task.left.starts_with("update ");
        const std::string left(trimmed(std::string_view(task.left).substr(is_update ? 7 : 0)));
        result += is_update ? fmt::format("update ({}) {} := {}\n", task.label, left, left)
                            : fmt::format("claim ({}) {} = {}\n", task.label, left, left);
    }
    return result;
}

std::string declared_name(const Model& model, const Source& source, const Statement& statement) {
    try {
        const std::vector<Token> tokens = tokens_of(source.text, statement.pieces, source.macros);
        if (statement.keyword == "index" || statement.keyword == "function") return tokens[0].text;
        return Parser(model, tokens).name(true).name;
    } catch (const Error&) {
        return {};
    }
}

double Exercise::points() const {
    double total = 0;
    for (const Task& task : tasks) total += task.points;
    return total;
}

Exercise read_exercise(std::string text, const std::string& file) {
    Exercise exercise;
    exercise.file = file;
    std::string_view known = text;
    try {
        if (text.size() > longest_file) {
            known = {};
            throw Refused{1, "the file is longer than an exercise may be (1 MiB)"};
        }
        const Source source(text);
        if (const std::size_t bad = first_bad_byte(source.text); bad < source.text.size())
            throw Refused{source.position(bad).line, "this byte is not valid UTF-8 text"};
        const auto declarations = blocks_fenced_as("deriv", source.text),
                   points = blocks_fenced_as("points", source.text);
        if (!declarations) throw Refused{1, "an exercise has its declarations in a block fenced as ```deriv"};
        if (!points)
            throw Refused{1, "an exercise has a block fenced as ```points, with a line such as: (a) dE/dw[i]: 2"};
        exercise.declarations = *declarations;
        PointsReader(exercise.tasks).run(*points);
        if (exercise.tasks.empty())
            throw Refused{1, "the block fenced as ```points asks for nothing: " + std::string(form)};
        require_sense(exercise);
    } catch (const Refused& refused) {
        exercise.error = ReadError{refused.line, 1, refused.sentence,
                                   known.empty() ? std::string() : std::string(Source(text).line(refused.line)), 1};
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& error) {
        exercise.error = ReadError{1, 1, error.what(), {}, 1};
    }
    return exercise;
}

}  // namespace derivation
