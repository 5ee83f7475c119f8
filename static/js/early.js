// Runs before the rest of the page's code is there, and has begun what takes a way to
// the server: the live connection, and the code of the page that is opened.

import { request } from "./pages.js";
import { begin } from "./socket.js";

begin();
request(location.pathname);
