package doctor

import "fmt"

// Line is a result as a person reads it: its level, its part, its message, and
// in a second line how to fix it.
func (r Result) Line() string {
	line := fmt.Sprintf("%-4s  %-10s  %s\n", r.Level, r.Part, r.Message)
	if fix := r.Fix.String(); fix != "" {
		line += fmt.Sprintf("%18sFix: %s\n", "", fix)
	}
	return line
}

// Summary counts results.
func Summary(all []Result) string {
	n := map[Level]int{}
	for _, r := range all {
		n[r.Level]++
	}
	return fmt.Sprintf("%d ok, %s, %s", n[OK], many(n[Warn], "warning"), many(n[Fail], "failure"))
}
