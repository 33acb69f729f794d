// What SIGINT, SIGTERM and SIGHUP do: no half-written file is left behind, and a training that runs may be kept.
#pragma once

/// From here on they remove the file that is being written and end the program with 128 and their number.
void end_at_signals();

/// From here on the first one is only noted, and the second ends the program.
void note_signals();

/// The number of the one that was noted, or 0.
int noted_signal();
