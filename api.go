package main

import (
	"cmp"
	"net"
	"os"

	"github.com/spf13/cobra"

	"logstream/internal/apiclient"
	"logstream/internal/config"
)

// defaultURL is where the dashboard is if no file says otherwise.
const defaultURL = "http://127.0.0.1:5000"

// throughAPI gives a command the flag --url, and the client that it names.
func throughAPI(cmd *cobra.Command) func() *apiclient.Client {
	url := cmd.Flags().String("url", "", "the `address` of the dashboard; default: that of the configuration file, else "+defaultURL)
	return func() *apiclient.Client {
		address, token := *url, os.Getenv("LOGSTREAM_TOKEN")
		if c, report := config.Load(configPath(cmd)); len(report.Errors) == 0 {
			address, token = cmp.Or(address, pageOf(c.Dashboard.Listen)), cmp.Or(token, c.Dashboard.Token)
		}
		return apiclient.New(cmp.Or(address, defaultURL), token)
	}
}

// pageOf is the address at which this machine reaches what listens there.
func pageOf(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
