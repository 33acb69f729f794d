#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <lab/explanation.hpp>
#include <lab/exported_derivation.hpp>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace lab {

namespace {

/// What a variable may not be called: words of C++, and what the program calls.
const std::set<std::string_view> taken = {
    "alignas",   "alignof",   "and",       "asm",       "auto",     "bitand",       "bitor",    "bool",      "break",
    "case",      "catch",     "char",      "class",     "compl",    "concept",      "const",    "continue",  "decltype",
    "default",   "delete",    "do",        "double",    "else",     "enum",         "explicit", "export",    "extern",
    "false",     "float",     "for",       "friend",    "goto",     "if",           "inline",   "int",       "long",
    "mutable",   "namespace", "new",       "noexcept",  "not",      "nullptr",      "operator", "or",        "private",
    "protected", "public",    "register",  "requires",  "return",   "short",        "signed",   "sizeof",    "static",
    "struct",    "switch",    "template",  "this",      "throw",    "true",         "try",      "typedef",   "typeid",
    "typename",  "union",     "unsigned",  "using",     "virtual",  "void",         "volatile", "while",     "xor",
    "abs",       "amax",      "amin",      "array",     "autograd", "broadcast_to", "cos",      "det",       "exp",
    "bracket",   "grad",      "gradients", "indices",   "inverse",  "log",          "logdet",   "logsumexp", "main",
    "matmul",    "maximum",   "mean",      "minimum",   "pad",      "pow",          "prod",     "relu",      "reshape",
    "sigmoid",   "sign",      "sin",       "softmax",   "softplus", "sqrt",         "stack",    "std",       "sum",
    "take",      "tanh",      "tape",      "transpose", "where"};

std::string string_literal(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) result += (c == '"' || c == '\\' ? "\\" : "") + std::string(1, c);
    return result + '"';
}

/// For a comment: one line, which does not go on in the next.
std::string one_line(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    while (!text.empty() && (text.back() == '\\' || text.back() == ' ')) text.pop_back();
    const std::size_t begin = text.find_first_not_of(' ');
    return begin == std::string::npos ? "" : text.substr(begin);
}

/// A list in braces, of which a line holds some 100 letters.
std::string in_braces(const std::vector<std::string>& parts) {
    std::string text = "{", line;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::string part = parts[i] + (i + 1 < parts.size() ? ", " : "");
        if (line.size() + part.size() > 100) {
            line.pop_back();
            text += line + "\n        ";
            line.clear();
        }
        line += part;
    }
    return text + line + "}";
}

class Program {
  public:
    explicit Program(Explained explained)
        : recording_(std::move(explained.recording)),
          lowering_(std::move(explained.lowering)),
          uses_(recording_.nodes.size(), 0),
          wanted_(recording_.nodes.size(), false),
          names_(recording_.nodes.size()) {
        codes_ = std::move(lowering_.codes);
        codes_.resize(recording_.nodes.size());
        begin_at_an_entry();
    }

    std::string text() {
        for (const auto& node : lowering_.arrays)
            if (node) want(node->index());
        for (const auto& steps : lowering_.steps)
            for (const auto& step : steps) want(step.index());
        want(recording_.result);
        find_what_is_printed();
        std::string body;
        std::size_t line = 0;
        for (std::uint32_t i = 0; i < wanted_.size(); ++i)
            if (wanted_[i] && has_line(i)) body += statement(i, line);
        body += way_back();
        return head(body) + body + "}\n";
    }

  private:
    const RecordedNode& node(std::uint32_t i) const { return recording_.nodes[i]; }
    bool is_named(std::uint32_t i) const { return !variable_at(*lowering_.tape, i).name().empty(); }

    /// Where no let is one number, the walk back begins at an entry that the recording has taken.
    void begin_at_an_entry() {
        const std::uint32_t result = recording_.result;
        if (!codes_[result].text.empty() || node(result).inputs.empty()) return;
        std::uint32_t last = node(result).inputs[0];
        if (codes_[last].text.empty() && !node(last).inputs.empty()) last = node(last).inputs[0];
        std::size_t size = 1;
        for (const std::size_t length : node(last).value.shape) size *= length;
        codes_[result] = {
            fmt::format("take(reshape(\1a{}\2, autograd::Shape{{{}}}), indices({{}}, {{0}}), 0)", last, size), 4};
    }

    /// Calls back with each place in the code: its side, its node, and where it begins and ends.
    template <class Visit>
    static void each_place(const std::string& code, Visit visit) {
        for (std::size_t at = 0; (at = code.find('\1', at)) != std::string::npos;) {
            const std::size_t end = code.find('\2', at);
            visit(code[at + 1], static_cast<std::uint32_t>(std::stoul(code.substr(at + 2, end - at - 2))), at, end + 1);
            at = end;
        }
    }

    void want(std::uint32_t first) {
        std::vector<std::uint32_t> left = {first};
        while (!left.empty()) {
            const std::uint32_t i = left.back();
            left.pop_back();
            if (wanted_[i]) continue;
            wanted_[i] = true;
            if (codes_[i].text.empty() && !node(i).inputs.empty())
                throw std::runtime_error(
                    fmt::format("[export] {} is not written as C++: {} in it is a function that the "
                                "file leaves open",
                                node(i).group.empty() ? node(i).name : node(i).group, node(i).operation));
            each_place(codes_[i].text, [&](char, std::uint32_t other, std::size_t, std::size_t) {
                ++uses_[other];
                left.push_back(other);
            });
        }
    }

    bool is_leaf(std::uint32_t i) const { return codes_[i].text.empty(); }
    bool has_line(std::uint32_t i) const {
        return is_named(i) || uses_[i] > 1 || (is_leaf(i) && !node(i).value.shape.empty()) || i == recording_.result;
    }

    /// The node's name for C++: w_j_i for w[j,i].
    const std::string& name(std::uint32_t i) {
        if (!names_[i].empty()) return names_[i];
        std::string word;
        for (const char c : node(i).name) {
            const bool stays = std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80;
            if (stays)
                word += c;
            else if (!word.empty() && word.back() != '_')
                word += '_';
        }
        while (!word.empty() && word.back() == '_') word.pop_back();
        if (word.empty() || std::isdigit(static_cast<unsigned char>(word[0]))) word.insert(0, "n");
        std::string free = word;
        for (int k = 2; taken.contains(free) || used_.contains(free); ++k) free = fmt::format("{}_{}", word, k);
        used_.insert(free);
        return names_[i] = free;
    }

    std::string numbers(const Numbers& array) const {
        std::vector<std::string> parts;
        for (const double x : array.values) parts.push_back(code_of(x));
        return fmt::format("array({{{}}}, {})", fmt::join(array.shape, ", "), in_braces(parts));
    }

    std::string leaf(std::uint32_t i) const {
        const RecordedNode& one = node(i);
        if (!one.value.sampled.empty())
            throw std::runtime_error(fmt::format("[export] {} has too many numbers for a source", one.name));
        const std::string value = one.value.shape.empty() ? code_of(one.value.values[0]) : numbers(one.value);
        return fmt::format("tape.{}({}{})", one.kind == "constant" ? "constant" : "variable", value,
                           is_named(i) ? ", " + string_literal(one.name) : "");
    }

    std::string expression(std::uint32_t i) {
        if (is_leaf(i)) return leaf(i);
        const Code& code = codes_[i];
        std::string result;
        std::size_t from = 0;
        each_place(code.text, [&](char side, std::uint32_t other, std::size_t begin, std::size_t end) {
            result += code.text.substr(from, begin - from);
            const bool inside = !has_line(other) && !is_leaf(other);
            const int level = codes_[other].level;
            const bool bracket =
                inside && ((side == 'l' && level < code.level) || (side == 'r' && level <= code.level));
            const std::string part = has_line(other) ? name(other) : expression(other);
            result += bracket ? "(" + part + ")" : part;
            from = end;
        });
        return result + code.text.substr(from);
    }

    std::string statement(std::uint32_t i, std::size_t& line) {
        std::string text;
        const std::size_t own = node(i).line.value_or(0);
        if (own != line && own != 0) text += fmt::format("\n    // Line {}: {}\n", own, source_line(own));
        line = own != 0 ? own : line;
        std::string value = expression(i);
        if (!is_leaf(i) && is_named(i)) value = fmt::format("tape.name({}, {})", value, string_literal(node(i).name));
        const bool is_used = uses_[i] > 0 || i == recording_.result || about_.contains(i);
        return text + fmt::format("    {}const auto {} = {};\n", is_used ? "" : "[[maybe_unused]] ", name(i), value);
    }

    std::string source_line(std::size_t number) const {
        std::istringstream all(recording_.source.value_or(""));
        std::string line;
        for (std::size_t i = 0; i < number && std::getline(all, line); ++i) {
        }
        return one_line(line);
    }

    void find_what_is_printed() {
        for (const Claim& claim : recording_.claims.value_or(std::vector<Claim>()))
            if (claim.node && wanted_[*claim.node] && has_line(*claim.node))
                about_[*claim.node] +=
                    fmt::format("    // Line {}, {}: {}\n", claim.line, claim.verdict, one_line(claim.text));
        if (!about_.empty()) return;
        for (std::uint32_t i = 0; i < wanted_.size(); ++i)
            if (wanted_[i] && node(i).kind == "variable" && node(i).adjoint) about_[i];
    }

    std::string way_back() {
        const std::string result = name(recording_.result);
        std::vector<std::string> kept;
        for (const auto& [i, claims] : about_) kept.push_back(name(i));
        std::string text =
            fmt::format("\n    // The way back from {}.\n    const auto gradients = tape.backward({}, {});\n",
                        one_line(node(recording_.result).name), result, in_braces(kept));
        text += "    std::cout.precision(12);\n";
        text += fmt::format("    std::cout << {} << {}.item() << '\\n';\n",
                            string_literal(node(recording_.result).name + " = "), result);
        for (const auto& [i, claims] : about_)
            text += claims +
                    fmt::format("    std::cout << {} << gradients[{}] << '\\n';\n",
                                string_literal(fmt::format("d{}/d{} = ", node(recording_.result).name, node(i).name)),
                                name(i));
        return text;
    }

    std::string head(const std::string& body) const {
        std::string text = fmt::format("// The network of {}, built with deltarule.\n", one_line(recording_.title));
        for (const std::string& note : recording_.notes) text += "// " + one_line(note) + "\n";
        text += "//\n//     c++ -std=c++20 this.cpp $(pkg-config --cflags --libs deltarule)\n";
        const auto has = [&](const char* call) { return body.find(call) != std::string::npos; };
        text += "#include <autograd/autograd.hpp>\n#include <cmath>\n";
        if (has("bracket(")) text += "#include <functional>\n";
        text += "#include <iostream>\n#include <vector>\n\n";
        const auto helper = [&](const char* type, const char* name, const char* number) {
            text += fmt::format(
                "{0} {1}(const autograd::Shape& shape, const std::vector<{2}>& numbers) {{\n"
                "    auto result = {0}::from_shape(shape);\n"
                "    std::copy(numbers.begin(), numbers.end(), result.begin());\n"
                "    return result;\n}}\n\n",
                type, name, number);
        };
        if (has("array({")) helper("autograd::Array<double>", "array", "double");
        if (has("indices({")) helper("autograd::Indices", "indices", "std::int64_t");
        if (has("bracket("))
            text +=
                "/// [x > y]: 1 where it is so, else 0.\n"
                "template <class Compare>\n"
                "autograd::Array<double> bracket(autograd::Array<double> x, const autograd::Array<double>& y, Compare "
                "is) {\n"
                "    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = is(x.data()[i], y.data()[i]) ? 1.0 : "
                "0.0;\n"
                "    return x;\n}\n\n";
        return text + "int main() {\n    autograd::Tape<double> tape;\n";
    }

    Recording recording_;
    Lowering lowering_;
    Codes codes_;
    std::vector<int> uses_;
    std::vector<bool> wanted_;
    std::vector<std::string> names_;
    std::set<std::string> used_;
    std::map<std::uint32_t, std::string> about_;  ///< the nodes whose gradients are printed, and the claims about them
};

}  // namespace

std::string to_cpp(const std::string& text, const derivation::Report& report) {
    return Program(explained_with_tape(text, report)).text();
}

}  // namespace lab
