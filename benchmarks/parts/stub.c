/* A booking service that does nothing but answer, as fast as one core can: for benchmarks/engine.py.
 *
 * Every request with a body is answered as an accepted booking of the contract's shape, with the seats that were asked
 * for; a request without one (GET) is answered with the number of bookings so far. Kept-alive connections, requests
 * one after another on each, loopback only. It prints the port that it listens on and runs until it is killed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 4096, ROOM = 16384, EVENTS = 256 };

struct client {
    size_t used;
    char buffer[ROOM + 1];
};

static struct client *clients[CLIENTS];
static unsigned long booked;

static const char HEAD[] =
    "HTTP/1.1 200 OK\r\nserver: stub\r\ncontent-type: application/json\r\nx-request-id: %016lx\r\n"
    "content-length: %d\r\ndate: Mon, 23 Nov 2026 09:00:00 GMT\r\n\r\n";
static const char BOOKING[] =
    "{\"data\":{\"id\":%lu,\"flightId\":17,\"userId\":4711,\"status\":\"Booked\",\"NoOfSeats\":%d,\"totalCost\":%d,"
    "\"createdAt\":\"2026-11-23T09:00:00.123456Z\",\"updatedAt\":\"2026-11-23T09:00:00.123456Z\"},"
    "\"success\":true,\"message\":\"Successfully booked the flight\",\"err\":{}}";

static int answer(int fd, const char *body, size_t length)
{
    char text[1024], out[2048];
    int size;
    if (length) {
        const char *found = memmem(body, length, "\"NoOfSeats\":", 12);
        int seats = found ? atoi(found + 12) : 1;
        size = snprintf(text, sizeof text, BOOKING, ++booked, seats, seats * 240);
    } else {
        size = snprintf(text, sizeof text, "{\"booked\":%lu}", booked);
    }
    int head = snprintf(out, sizeof out, HEAD, booked, size);
    memcpy(out + head, text, (size_t)size);
    return send(fd, out, (size_t)(head + size), MSG_NOSIGNAL) == head + size;
}

/* Answer each whole request in the buffer; 0 when the connection is of no more use. */
static int serve(int fd, struct client *client)
{
    for (;;) {
        client->buffer[client->used] = '\0';
        char *end = strstr(client->buffer, "\r\n\r\n");
        if (!end)
            return client->used < ROOM;
        char *field = strcasestr(client->buffer, "\r\ncontent-length:");
        size_t body = field && field < end ? strtoul(field + 17, NULL, 10) : 0;
        size_t whole = (size_t)(end + 4 - client->buffer) + body;
        if (whole > ROOM)
            return 0;
        if (client->used < whole)
            return 1;
        if (!answer(fd, end + 4, body))
            return 0;
        client->used -= whole;
        memmove(client->buffer, client->buffer + whole, client->used);
    }
}

static void drop(int fd)
{
    close(fd);
    free(clients[fd]);
    clients[fd] = NULL;
}

static void take_in(int poll, int listener)
{
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (fd >= CLIENTS || !(clients[fd] = calloc(1, sizeof(struct client)))) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

static void heed(int fd)
{
    struct client *client = clients[fd];
    ssize_t got = recv(fd, client->buffer + client->used, ROOM - client->used, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0)
        client->used += (size_t)got;
    if (got <= 0 || !serve(fd, client))
        drop(fd);
}

int main(void)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poll = epoll_create1(0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    if (bind(listener, (struct sockaddr *)&here, size) || listen(listener, 1024) ||
        getsockname(listener, (struct sockaddr *)&here, &size)) {
        perror("stub");
        return 1;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[EVENTS];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    for (;;) {
        int ready = epoll_wait(poll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener)
                take_in(poll, listener);
            else
                heed(events[i].data.fd);
        }
    }
}
