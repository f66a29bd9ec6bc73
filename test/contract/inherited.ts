// An echo server on descriptor 3, as a service manager hands it over; it prints where it listens.

import { serve } from "sansws";

const server = await serve({ fd: 3, message: (socket, data) => void socket.send(data) });
console.log(JSON.stringify({ url: server.url, address: server.address }));
