// The Gatus that make bench compares with.
module logstream/bench/gatus

go 1.26.8

require github.com/TwiN/gatus/v5 v5.36.0
