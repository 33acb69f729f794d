// Tests of errors.
#pragma once

#include <boost/test/unit_test.hpp>
#include <exception>
#include <string>

/// Checks that f throws, and that the message has this part.
template <class F>
void check_message(F f, const std::string& part) {
    BOOST_CHECK_EXCEPTION(f(), std::exception, [&](const std::exception& e) {
        BOOST_TEST_MESSAGE(e.what());
        return std::string(e.what()).find(part) != std::string::npos;
    });
}
