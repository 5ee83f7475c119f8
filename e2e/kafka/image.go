//go:build e2e

package kafka

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"logstream/e2e/engine"
)

// user is who the broker runs as, as in the public image: not root, so that a
// volume that it may not write to is noticed.
const user = 1000

// LoadImage makes an image from the Apache Kafka and the Java of this machine,
// with an entrypoint that is configured as the public image's is, and gives it
// that name in the engine. There is bash in it, and nothing else.
func LoadImage(ctx context.Context, e *engine.Engine, name string) error {
	failed := func(err error) error { return fmt.Errorf("make the image %s: %w", name, err) }
	jars, err := find()
	if err != nil {
		return failed(err)
	}
	entrypoint, err := buildEntrypoint(ctx)
	if err != nil {
		return failed(err)
	}
	defer os.RemoveAll(filepath.Dir(entrypoint))
	// It is too large to be kept in memory: it is packed while the engine reads.
	reader, writer := io.Pipe()
	packed := make(chan error, 1)
	go func() {
		err := pack(ctx, writer, jars, entrypoint)
		writer.CloseWithError(err)
		packed <- err
	}()
	_, err = e.Command(ctx, reader, "import",
		"--change", fmt.Sprintf("USER %d:%d", user, user),
		"--change", "ENV PATH=/opt/java/bin:/usr/bin:/bin",
		"--change", "VOLUME /var/lib/kafka/data",
		"--change", `ENTRYPOINT ["/entrypoint"]`,
		"-", name)
	reader.Close() // where the engine has stopped reading, the packing ends
	if err := errors.Join(err, <-packed); err != nil {
		return failed(err)
	}
	return nil
}

// buildEntrypoint builds ./entrypoint, in a folder of its own.
func buildEntrypoint(ctx context.Context) (string, error) {
	dir, err := os.MkdirTemp("", "entrypoint-")
	if err != nil {
		return "", fmt.Errorf("build its entrypoint: %w", err)
	}
	path := filepath.Join(dir, "entrypoint")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "logstream/e2e/kafka/entrypoint")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	if out, err := cmd.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return "", fmt.Errorf("build its entrypoint: %w: %s", err, out)
	}
	return path, nil
}

// pack writes the image's files.
func pack(ctx context.Context, to io.Writer, jars, entrypoint string) error {
	home, err := javaHome()
	if err != nil {
		return err
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		return err
	}
	libraries, err := libraries(ctx, bash, filepath.Join(home, "bin/java"), filepath.Join(home, "lib/server/libjvm.so"))
	if err != nil {
		return err
	}
	w := packer{tar.NewWriter(to)}
	err = errors.Join(
		w.file("entrypoint", entrypoint),
		w.file("bin/bash", bash),
		w.file("bin/sh", bash),
		w.folder("tmp", 0o1777, 0),
		w.folder("opt/kafka/config", 0o755, user),
		w.folder("var/lib/kafka/data", 0o755, user),
		w.tree("opt/kafka/libs", jars),
	)
	for _, part := range []string{"bin", "conf", "lib"} {
		err = errors.Join(err, w.tree("opt/java/"+part, filepath.Join(home, part)))
	}
	for _, library := range libraries {
		err = errors.Join(err, w.file(strings.TrimPrefix(library, "/"), library))
	}
	return errors.Join(err, w.Close())
}

// javaHome is the folder of the Java that "java" starts.
func javaHome() (string, error) {
	path, err := exec.LookPath("java")
	if err != nil {
		return "", fmt.Errorf("find Java: %w: make deps", err)
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", fmt.Errorf("find Java: %w", err)
	}
	return filepath.Dir(filepath.Dir(path)), nil
}

var libraryPath = regexp.MustCompile(`(/\S+) \(0x`)

// libraries are the shared ones that the programs are linked to, with the loader.
func libraries(ctx context.Context, programs ...string) ([]string, error) {
	var all []string
	for _, program := range programs {
		out, err := exec.CommandContext(ctx, "ldd", program).Output()
		if err != nil {
			return nil, fmt.Errorf("ldd %s: %w", program, err)
		}
		for _, match := range libraryPath.FindAllStringSubmatch(string(out), -1) {
			all = append(all, match[1])
			if filepath.Base(match[1]) == "libc.so.6" { // its former parts, which Kafka's compressors still name
				for _, part := range []string{"libpthread.so.0", "libdl.so.2", "librt.so.1"} {
					all = append(all, filepath.Join(filepath.Dir(match[1]), part))
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

type packer struct{ *tar.Writer }

func (w packer) folder(name string, mode int64, owner int) error {
	return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode, Uid: owner, Gid: owner})
}

// file packs what path leads to.
func (w packer) file(name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Name: name, Size: info.Size(), Mode: int64(info.Mode().Perm())}); err != nil {
		return err
	}
	if _, err := io.Copy(w, f); err != nil {
		return fmt.Errorf("pack %s: %w", path, err)
	}
	return nil
}

// tree packs the files below a folder; links to folders, and to nothing, are
// left out.
func (w packer) tree(name, dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "ct.sym" || entry.Name() == "classes_nocoops.jsa" { // for the compiler; for large heaps
			return err
		}
		if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
			return nil
		}
		below, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return w.file(filepath.Join(name, below), path)
	})
}
