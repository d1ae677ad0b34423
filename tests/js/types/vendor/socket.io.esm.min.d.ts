// The server serves socket.io-client's bundle at ./vendor/; these are its types for `tsc`.
export { io } from 'socket.io-client';
