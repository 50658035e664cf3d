/*
 * Who calls? All pods of a machine share one network, so every connection would come from 127.0.0.1. Connections to loopback
 * addresses are made from the pod's own address instead, by which the data plane knows the service.
 *
 * It is done where the system is asked to connect: every client comes by there, TLS or not, and the name is resolved already.
 */
"use strict";
const { isIPv4, Socket } = require("node:net");

const loopback = /^127\.\d+\.\d+\.\d+$/;
const host = process.env.HOST;

/** The class of TCP handles has no public name; it is that of the first one that is seen. */
function patch(handle) {
  const prototype = Object.getPrototypeOf(handle);
  const { connect } = prototype;
  prototype.connect = function (request, address, port) {
    if (loopback.test(address) && !isBound(this)) this.bind(host, 0, 0);
    // Where the system refused the address, the connection is made as it would have been.
    return connect.call(this, request, address, port);
  };
}

/** The program has chosen an address or a port itself. */
function isBound(handle) {
  const name = {};
  return handle.getsockname(name) === 0 && (name.port !== 0 || name.address !== "0.0.0.0");
}

if (host && isIPv4(host) && loopback.test(host) && host !== "127.0.0.1") {
  const { connect } = Socket.prototype;
  const first = function (...args) {
    const result = connect.apply(this, args);
    // A TLS socket's handle stands before the one that connects, which it calls in the next turn.
    const handle = this._handle?._parent ?? this._handle;
    if (handle?.constructor?.name === "TCP" && typeof handle.bind === "function") {
      if (Socket.prototype.connect === first) Socket.prototype.connect = connect;
      patch(handle);
    }
    return result;
  };
  Socket.prototype.connect = first;
}
