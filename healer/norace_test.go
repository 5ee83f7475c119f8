//go:build !race

package healer

const raced = false
