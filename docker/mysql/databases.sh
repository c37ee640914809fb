#!/bin/sh
# At MySQL's first start: a database for each service, and a user who sees that one only.
set -eu

database() { # name, user, password
    cat <<SQL
CREATE DATABASE \`$1\` CHARACTER SET utf8mb4;
CREATE USER '$2'@'%' IDENTIFIED BY '$3';
GRANT ALL PRIVILEGES ON \`$1\`.* TO '$2'@'%';
SQL
}

# The password goes by the environment: command lines can be read by every process.
{
    database auth auth "$AUTH_DB_PASSWORD"
    database flights flights "$FLIGHTS_DB_PASSWORD"
    database booking booking "$BOOKING_DB_PASSWORD"
    database notification reminder "$REMINDER_DB_PASSWORD"
} | MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysql --user=root
