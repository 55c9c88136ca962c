docker-compose up -d && docker-compose ps && docker-compose exec -T web perl /check.pl && docker-compose down || (docker-compose down && exit 1)
