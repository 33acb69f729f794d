#include "signals.hpp"

#include <unistd.h>

#include <csignal>
#include <nn/files/output.hpp>

namespace {

volatile std::sig_atomic_t is_noting = 0, noted = 0;

extern "C" void on_signal(int number) {
    if (is_noting && noted == 0) {
        noted = number;
        return;
    }
    nn::files::remove_unfinished();
    _exit(128 + number);
}

}  // namespace

void end_at_signals() {
    std::signal(SIGXFSZ, SIG_IGN);  // a file that grows too large is an error of its writer
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction before {};
        sigaction(number, nullptr, &before);
        if (before.sa_handler == SIG_IGN) continue;  // as nohup wants it
        struct sigaction action {};
        action.sa_handler = on_signal;
        action.sa_flags = SA_RESTART;
        sigaction(number, &action, nullptr);
    }
}

void note_signals() { is_noting = 1; }

int noted_signal() { return noted; }
