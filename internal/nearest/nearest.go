// Package nearest finds what a mistyped word was most likely meant to be. No I/O.
package nearest

import "unicode/utf8"

const longest = 80 // characters: a longer word is not a typing mistake

// Of is the one of the known words that word was most likely meant to be, or ""
// where none is near.
func Of(word string, known []string) string {
	if utf8.RuneCountInString(word) > longest {
		return ""
	}
	best, least := "", len(word)/3+2
	for _, candidate := range known {
		if d := distance(word, candidate); d < least && d < len(candidate) {
			best, least = candidate, d
		}
	}
	return best
}

// distance is Levenshtein's: how many characters to insert, delete or replace
// to come from a to b.
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j := range to {
			replaced := diagonal
			if from[i] != to[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(to)]
}
