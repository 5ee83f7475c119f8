package loglines

import (
	"fmt"
	"strings"
	"testing"

	"logstream/internal/container"
)

// formats are failures as the tools around a build write them. A line of want
// begins what has to be chosen.
var formats = []struct{ name, log, want string }{
	{"go test", `=== RUN   TestCart
--- PASS: TestCart (0.00s)
=== RUN   TestErrorHandling
--- PASS: TestErrorHandling (0.01s)
=== RUN   TestTotal
    cart_test.go:41: total of 3 items: got 12, want 15
--- FAIL: TestTotal (0.00s)
=== RUN   TestFailedLogin
--- PASS: TestFailedLogin (0.00s)
FAIL
FAIL	shop/cart	0.012s
FAIL
make: *** [Makefile:12: test] Error 1`, "    cart_test.go:41"},
	{"pytest", `tests/test_errors.py::test_error_is_logged PASSED
tests/test_cart.py::test_total FAILED
=================================== FAILURES ===================================
__________________________________ test_total __________________________________

    def test_total():
>       assert total([1, 2]) == 4
E       assert 3 == 4
E        +  where 3 = total([1, 2])

tests/test_cart.py:7: AssertionError
=========================== short test summary info ============================
FAILED tests/test_cart.py::test_total - assert 3 == 4
========================= 1 failed, 41 passed in 0.31s =========================`, "E       assert 3 == 4"},
	{"jest", `PASS src/error.test.js
FAIL src/cart.test.js
  ● cart › adds up

    expect(received).toBe(expected) // Object.is equality

    Expected: 15
    Received: 12

      at Object.<anonymous> (src/cart.test.js:9:17)

Test Suites: 1 failed, 1 passed, 2 total
Tests:       1 failed, 7 passed, 8 total
npm ERR! Test failed.  See above for more details.`, "  ● cart › adds up"},
	{"rustc", `   Compiling error-chain v0.12.4
   Compiling shop v0.3.0 (/build)
warning: unused variable: ` + "`n`" + `
 --> src/lib.rs:3:9
error[E0308]: mismatched types
  --> src/cart.rs:22:5
   |
22 |     total
   |     ^^^^^ expected ` + "`u32`, found `u64`" + `
For more information about this error, try ` + "`rustc --explain E0308`" + `.
error: could not compile ` + "`shop`" + ` (lib) due to 1 previous error
##[error]Process completed with exit code 101.`, "error[E0308]"},
	{"gcc", `[ 12%] Building C object src/CMakeFiles/shop.dir/error.c.o
[ 25%] Building C object src/CMakeFiles/shop.dir/cart.c.o
src/cart.c: In function 'total':
src/cart.c:14:12: error: 'sum' undeclared (first use in this function)
   14 |     return sum;
      |            ^~~
make[2]: *** [src/CMakeFiles/shop.dir/build.make:76: src/CMakeFiles/shop.dir/cart.c.o] Error 1
make[1]: *** [CMakeFiles/Makefile2:95: all] Error 2
make: *** [Makefile:136: all] Error 2`, "src/cart.c:14:12"},
	{"linker", `[100%] Linking C executable shop
/usr/bin/ld: cart.o: in function ` + "`main'" + `:
cart.c:(.text+0x1a): undefined reference to ` + "`price_of'" + `
collect2: error: ld returned 1 exit status
make: *** [shop] Error 1`, "cart.c:(.text+0x1a): undefined reference"},
	{"maven", `[INFO] Running com.example.ErrorPageTest
[INFO] Tests run: 4, Failures: 0, Errors: 0, Skipped: 0
[INFO] Running com.example.CartTest
[ERROR] Tests run: 3, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.04 s <<< FAILURE! - in com.example.CartTest
[ERROR] com.example.CartTest.total  Time elapsed: 0.01 s  <<< FAILURE!
org.opentest4j.AssertionFailedError: expected: <15> but was: <12>
	at com.example.CartTest.total(CartTest.java:31)
[INFO] BUILD FAILURE
[ERROR] Failed to execute goal org.apache.maven.plugins:maven-surefire-plugin:3.2.5:test (default-test) on project shop
[ERROR] Re-run Maven using the -X switch to enable full debug logging.`, "org.opentest4j.AssertionFailedError"},
	{"tsc", `> shop@1.0.0 build
> tsc -p .
src/cart.ts(12,5): error TS2322: Type 'string' is not assignable to type 'number'.
npm ERR! code ELIFECYCLE
npm ERR! errno 2
npm ERR! shop@1.0.0 build: ` + "`tsc -p .`" + `
npm ERR! Exit status 2`, "src/cart.ts(12,5)"},
	{"npm install", `npm WARN deprecated har-validator@5.1.5: this library is no longer supported
npm WARN deprecated request@2.88.2: request has been deprecated
npm ERR! code ERESOLVE
npm ERR! ERESOLVE unable to resolve dependency tree
npm ERR! Could not resolve dependency:
npm ERR! peer react@"^17.0.0" from cart-ui@2.1.0
npm ERR! A complete log of this run can be found in: /home/ci/.npm/_logs/debug.log`, "npm ERR! ERESOLVE unable"},
	{"docker build", `#11 [builder 4/6] RUN pip install -r requirements.txt
#11 1.204 Collecting flask==3.0.0
#11 2.310 ERROR: Could not find a version that satisfies the requirement shopclient==9.9 (from versions: 1.0, 1.1)
#11 2.311 ERROR: No matching distribution found for shopclient==9.9
#11 ERROR: process "/bin/sh -c pip install -r requirements.txt" did not complete successfully: exit code: 1
ERROR: failed to solve: process "/bin/sh -c pip install -r requirements.txt" did not complete successfully: exit code: 1`, "#11 2.310 ERROR"},
	{"mocha", `  cart
    ✓ shows an error page
    1) adds up
  1 passing (12ms)
  1 failing
  1) cart
       adds up:
      AssertionError [ERR_ASSERTION]: 12 == 15
      + expected - actual
      at Context.<anonymous> (test/cart.js:8:14)`, "      AssertionError [ERR_ASSERTION]"},
	{"rspec", `Failures:

  1) Cart adds up
     Failure/Error: expect(cart.total).to eq(15)

       expected: 15
            got: 12
     # ./spec/cart_spec.rb:9:in ` + "`block (2 levels) in <top (required)>'" + `

2 examples, 1 failure

Failed examples:

rspec ./spec/cart_spec.rb:7 # Cart adds up`, "     Failure/Error"},
}

func TestFailuresOfBuildsAreChosen(t *testing.T) {
	for _, f := range formats {
		for _, wrap := range []string{"", "2026-11-29T01:02:03.1234567Z "} {
			t.Run(f.name+wrap, func(t *testing.T) {
				var raw []container.Line
				add := func(text string) { raw = append(raw, container.Line{Text: wrap + text}) }
				for i := range 150 {
					add(fmt.Sprintf("Get:%d http://deb.example/debian bookworm/main amd64 liberror-perl all 0.17029-%d [26 kB]", i, i))
					add(fmt.Sprintf("Unpacking libfail%d (1.%d) ...", i%7, i))
				}
				for line := range strings.Lines(f.log) {
					add(strings.TrimSuffix(line, "\n"))
				}
				for i := range 30 {
					add(fmt.Sprintf("Cleaning up workspace, step %d", i))
				}
				chosen, _ := Choose(raw, nil)
				var all []string
				for _, c := range chosen {
					if strings.HasPrefix(raw[c.Place].Text, wrap+f.want) {
						return
					}
					all = append(all, c.Text)
				}
				t.Errorf("%q is not among\n%s", f.want, strings.Join(all, "\n"))
			})
		}
	}
}
