package docker

import (
	"strconv"
	"strings"
)

// linuxSignals are the numbers of the signals that images name as their stop
// signal: those of Linux, where containers run, whatever this program runs on.
var linuxSignals = map[string]int{
	"HUP": 1, "INT": 2, "QUIT": 3, "ABRT": 6, "KILL": 9, "USR1": 10, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15,
	"STKFLT": 16, "CONT": 18, "STOP": 19, "TSTP": 20, "WINCH": 28, "IO": 29, "PWR": 30, "RTMIN": 34, "RTMAX": 64,
}

// signalNumber is a stop signal as the engine's kill events have it: a number.
// It is empty where the container has none of its own, or one that is not known.
func signalNumber(name string) string {
	name = strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(name)), "SIG")
	if n, err := strconv.Atoi(name); err == nil && n > 0 {
		return strconv.Itoa(n)
	}
	if n, known := linuxSignals[name]; known {
		return strconv.Itoa(n)
	}
	for base, sign := range map[string]int{"RTMIN+": 1, "RTMAX-": -1} {
		if offset, is := strings.CutPrefix(name, base); is {
			if n, err := strconv.Atoi(offset); err == nil {
				return strconv.Itoa(linuxSignals[base[:5]] + sign*n)
			}
		}
	}
	return ""
}
