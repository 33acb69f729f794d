#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <derivation/grade.hpp>
#include <exception>
#include <functional>
#include <mutex>
#include <nn/files/text.hpp>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include "commands.hpp"

namespace {

/// Answers do not know each other. Each takes up to 370 MB, so that threads are few.
void for_each_at_once(std::size_t count, const std::function<void(std::size_t)>& work) {
    constexpr std::size_t most_threads = 8;
    std::atomic<std::size_t> next = 0;
    std::mutex mutex;
    std::exception_ptr failure;
    const auto run = [&] {
        for (std::size_t i = next++; i < count; i = next++) try {
                work(i);
            } catch (...) {
                next = count;
                const std::lock_guard lock(mutex);
                failure = std::current_exception();
            }
    };
    std::vector<std::thread> threads;
    const std::size_t wanted = std::min({count, most_threads, std::size_t{std::thread::hardware_concurrency()}});
    try {
        for (std::size_t i = 1; i < wanted; ++i) threads.emplace_back(run);
    } catch (const std::system_error&) {  // no more of them
    }
    run();
    for (std::thread& thread : threads) thread.join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

int grade(const GradeOptions& options) {
    if (options.hint != 0 && options.answers.size() != 1)
        throw std::runtime_error("a hint is for one answer: deltarule grade EXERCISE ANSWER --hint 1");
    const derivation::Exercise exercise = derivation::read_exercise(derivation_in(options.exercise), options.exercise);
    if (exercise.error) {
        derivation::Report report;
        report.file = options.exercise;
        report.error = exercise.error;
        say_error(derivation::to_text(report));
        return 2;
    }

    std::vector<std::string> texts(options.answers.size());
    std::vector<derivation::Grade> grades(options.answers.size());
    for (std::size_t i = 0; i < grades.size(); ++i) try {
            grades[i].file = options.answers[i];
            texts[i] = derivation_in(options.answers[i]);
        } catch (const std::runtime_error& error) {
            grades[i].error = derivation::ReadError{0, 1, error.what(), {}, 1};
        }
    for_each_at_once(grades.size(), [&](std::size_t i) {
        if (!grades[i].error)
            grades[i] = derivation::grade(exercise, std::move(texts[i]), {options.answers[i], options.seed, 0});
    });

    int exit_code = 0;
    for (const derivation::Grade& one : grades) {
        exit_code = std::max(exit_code, one.exit_code());
        if (!one.error || !(options.csv || options.json)) continue;
        const std::string place = one.error->line == 0 ? "" : fmt::format("{}:{}: ", one.file, one.error->line);
        say_error(fmt::format("deltarule: {}\n", nn::files::printable(place + one.error->sentence)));
    }
    fmt::print("{}", options.hint != 0 ? derivation::to_hint(exercise, grades[0], options.hint)
                     : options.json    ? derivation::to_json(exercise, grades)
                     : options.csv     ? derivation::to_csv(exercise, grades)
                                       : derivation::to_text(exercise, grades));
    return exit_code;
}
